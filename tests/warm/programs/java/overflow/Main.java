public class Main {
    static int depth(int n) {
        try {
            return depth(n + 1);
        } catch (StackOverflowError error) {
            return n;
        }
    }

    static void forever() {
        forever();
    }

    public static void main(String[] args) throws Exception {
        System.out.println(depth(0) > 1000);
        forever();
    }
}
