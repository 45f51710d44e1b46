public class Main {
    private static int hidden(int n) {
        return n * n;
    }

    static void fail() {
        throw new IllegalArgumentException("inside");
    }

    public static void main(String[] args) throws Exception {
        System.out.println(Main.class.getDeclaredMethod("hidden", int.class).invoke(null, 3));
        try {
            String.class.getDeclaredField("value").setAccessible(true);
        } catch (RuntimeException error) {
            System.out.println(error);
        }
        try {
            Class.forName("jdk.internal.misc.Unsafe").getMethod("getUnsafe").invoke(null);
        } catch (Exception error) {
            System.out.println(error);
        }
        Main.class.getDeclaredMethod("fail").invoke(null);
    }
}
