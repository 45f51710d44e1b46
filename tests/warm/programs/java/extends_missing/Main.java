public class Main extends Base {
    static {
        System.out.println("init");
    }

    public static void main(String[] args) {
        new Main().hi();
    }
}
