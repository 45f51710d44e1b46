public class Main {
    public static void main(String[] args) throws Exception {
        for (StackTraceElement e : Thread.currentThread().getStackTrace()) System.out.println(e);
        StackWalker.getInstance(StackWalker.Option.SHOW_HIDDEN_FRAMES).forEach(System.out::println);
        new Throwable("here").printStackTrace();
        long frames = StackWalker.getInstance().walk(s -> s.count());
        System.out.println(frames);
    }
}
