import java.util.*;
public class Main {
    public static void main(String[] args) throws Exception {
        System.out.println(Main.class.getClassLoader() == ClassLoader.getSystemClassLoader());
        System.out.println(ClassLoader.getSystemClassLoader().getClass() + " " + ClassLoader.getSystemClassLoader().getParent().getClass());
        System.out.println(Thread.currentThread().getContextClassLoader() == Main.class.getClassLoader());
        System.out.println(Main.class.getModule() + " " + Main.class.getResource("Main.class").toString().endsWith("/app/Main.class"));
        System.out.println(Collections.list(ClassLoader.getSystemResources("")).size() + " " + ClassLoader.getSystemResource("gone"));
        System.out.println(Class.forName("Main") == Main.class);
        System.out.println(Main.class.getProtectionDomain().getCodeSource().getLocation().getPath().endsWith("/app/"));
    }
}
