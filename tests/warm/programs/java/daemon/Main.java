public class Main {
    public static void main(String[] args) throws Exception {
        Thread daemon = new Thread(() -> {
            while (true) Thread.onSpinWait();
        });
        daemon.setDaemon(true);
        daemon.start();
        System.out.println("done");
    }
}
