public class Main {
    public static void main(String[] args) {
        int x = "text";
        String s = undefined(1);
        for (int i = 0; i < 3; i++) {
            System.out.printn(i);
        }
        return 5;
    }
}
