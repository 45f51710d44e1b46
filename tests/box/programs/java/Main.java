import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Scanner;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/** What an honest Java program may expect of a box. Each line ends in "ok" or says what went wrong. */
public class Main {
    record Point(int x, int y) {}

    static void check(String name, boolean good) {
        System.out.println(name + (good ? " ok" : " FAILED"));
    }

    static void threads() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Future<Integer>> squares = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            int number = i;
            squares.add(pool.submit(() -> number * number));
        }
        int sum = 0;
        for (Future<Integer> square : squares) sum += square.get();
        pool.shutdown();
        check("thread pool", sum == 2470);
        check("parallel streams", IntStream.range(0, 100_000).parallel().mapToLong(x -> x).sum() == 4_999_950_000L);
        Thread thread = new Thread(() -> {});
        thread.setPriority(Thread.MIN_PRIORITY);
        thread.start();
        thread.join();
        check("threads", !thread.isAlive());
    }

    static void files() throws Exception {
        Files.writeString(Path.of("a.txt"), "한글");
        Files.copy(Path.of("a.txt"), Path.of("b.txt"), StandardCopyOption.COPY_ATTRIBUTES);
        Files.move(Path.of("b.txt"), Path.of("c.txt"));
        check("files", Files.readString(Path.of("c.txt")).equals("한글"));
        Path temporary = Files.createTempFile("x", "y");
        check("temporary files", temporary.startsWith("/tmp"));
    }

    static void network() throws Exception {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        try (ServerSocket server = new ServerSocket(0, 1, loopback);
             Socket client = new Socket(loopback, server.getLocalPort());
             Socket accepted = server.accept()) {
            accepted.getOutputStream().write(7);
            check("sockets over loopback", client.getInputStream().read() == 7);
        }
        try (ServerSocketChannel channel = ServerSocketChannel.open()) {
            channel.bind(new InetSocketAddress(loopback, 0));
            check("channels", channel.isOpen());
        }
        check("interfaces", NetworkInterface.networkInterfaces().anyMatch(each -> each.getName().equals("lo")));
        try (Socket out = new Socket()) {
            out.connect(new InetSocketAddress("192.0.2.1", 80), 2000);
            check("no way out", false);
        } catch (IOException refused) {
            check("no way out", true);
        }
    }

    static void noOtherProgram() throws Exception {
        try {
            new ProcessBuilder("ls").start();
            check("no program", false);
        } catch (IOException refused) {
            check("no program", true);
        }
        try (var names = Files.list(Path.of("/usr/bin"))) {
            check("nothing else in /usr/bin", names.allMatch(name -> name.endsWith("java")));
        }
    }

    static void libraries() throws Exception {
        check("records", new Point(1, 2).toString().equals("Point[x=1, y=2]"));
        check("large numbers", BigInteger.TWO.pow(1000).bitLength() == 1001);
        check("digests", MessageDigest.getInstance("SHA-256").digest(new byte[0])[0] == (byte) 0xe3);
        check("random", new SecureRandom().nextInt(10) < 10);
        check("zones", ZonedDateTime.of(2024, 7, 1, 0, 0, 0, 0, ZoneId.of("Asia/Seoul")).getOffset().getTotalSeconds() == 9 * 3600);
        check("regular expressions", "a1b2".replaceAll("[0-9]", "").equals("ab"));
        check("format", String.format("%.2f %s", 3.14159, "x").equals("3.14 x"));
        check("module java.net.http", Class.forName("java.net.http.HttpClient") != null);
    }

    public static void main(String[] arguments) throws Exception {
        threads();
        files();
        network();
        noOtherProgram();
        libraries();
        check("arguments", arguments.length == 2 && arguments[1].equals("two words"));
        check("a second file", Helper.VALUE == 42);
        check("home", System.getProperty("user.home").equals("/tmp") && Path.of("").toAbsolutePath().toString().equals("/box"));
        Scanner input = new Scanner(System.in);
        check("stdin", input.nextLine().equals("first") && input.next().equals("second"));
    }
}
