public class Main {
    public static void main(String[] args) throws Exception {
        Thread[] threads = new Thread[3];
        for (int i = 0; i < 3; i++) {
            int n = i;
            threads[i] = new Thread(() -> System.out.println(Thread.currentThread() + " " + Thread.currentThread().getId() + " " + n));
            threads[i].start();
            threads[i].join();
        }
        Thread bad = new Thread(() -> { throw new IllegalStateException("in a thread"); });
        bad.start();
        bad.join();
        System.out.println(Thread.currentThread() + " " + Thread.currentThread().getId() + " " + Thread.activeCount());
    }
}
