public class Main {
    public static void main(String[] args) throws Exception {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
        System.out.println(ProcessHandle.current().children().count());
        Runtime.getRuntime().halt(9);
    }
}
