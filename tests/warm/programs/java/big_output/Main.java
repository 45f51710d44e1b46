public class Main {
    public static void main(String[] args) throws Exception {
        for (int i = 0; i < 20000; i++) System.out.println(i + " xxxxxxxxxxxxxxxxxxxx");
        System.err.print("y".repeat(200000));
    }
}
