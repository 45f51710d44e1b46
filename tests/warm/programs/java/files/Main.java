import java.io.File;
import java.nio.file.*;
public class Main {
    public static void main(String[] args) throws Exception {
        Path file = Path.of("x.txt");
        Files.writeString(file, "abc");
        System.out.println(Files.readAllLines(file) + " " + Files.size(file) + " " + new File(".").list().length);
        Files.readString(Path.of("gone"));
    }
}
