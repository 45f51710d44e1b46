public class Main {
    static int inner(int n) {
        return 1 / n;
    }

    static void outer() {
        inner(0);
    }

    public static void main(String[] args) throws Exception {
        outer();
    }
}
