import a.b.Helper;

public class Main {
    public static void main(String[] args) throws Exception {
        System.out.println(new Helper().twice(4) + " " + Helper.class.getPackage() + " " + Class.forName("a.b.Helper").getClassLoader().getClass());
        Class.forName("a.b.Gone");
    }
}
