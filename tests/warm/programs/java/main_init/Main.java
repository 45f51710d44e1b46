public class Main {
    static int x = 1 / 0;

    public static void main(String[] args) {
        System.out.println("never");
    }
}
