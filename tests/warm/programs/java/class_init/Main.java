public class Main {
    static class Bad {
        static final int VALUE = Integer.parseInt("x");
    }

    public static void main(String[] args) throws Exception {
        System.out.println(Bad.VALUE);
    }
}
