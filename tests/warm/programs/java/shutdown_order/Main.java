public class Main {
    public static void main(String[] args) throws Exception {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
        Thread main = Thread.currentThread();
        Thread last = new Thread(() -> {
            try {
                main.join();
            } catch (InterruptedException ignored) {
                return;
            }
            System.out.println("last thread");
        });
        last.start();
        System.out.println("main ends");
    }
}
