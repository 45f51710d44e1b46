public class Main {
    public static void man(String[] args) {}
}
