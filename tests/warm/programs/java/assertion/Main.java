public class Main {
    public static void main(String[] args) throws Exception {
        assert 1 > 2 : "off";
        System.out.println(Main.class.desiredAssertionStatus());
    }
}
