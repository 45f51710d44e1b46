import java.util.concurrent.*;
public class Main {
    public static void main(String[] args) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(2);
        Future<Integer> sum = pool.submit(() -> 1 + 1);
        System.out.println(sum.get());
        System.out.println(pool.submit(() -> Thread.currentThread().getName()).get());
        pool.shutdown();
        System.out.println(CompletableFuture.supplyAsync(() -> 5).thenApply(n -> n * 2).get());
        System.out.println(java.util.stream.IntStream.range(0, 1000).parallel().sum());
    }
}
