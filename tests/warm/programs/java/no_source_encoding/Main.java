public class Main {
    // naïve
    static final String É = "日本";

    public static void main(String[] args) {
        System.out.println(É);
    }
}
