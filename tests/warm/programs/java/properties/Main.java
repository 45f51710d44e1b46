import java.util.*;
public class Main {
    public static void main(String[] args) throws Exception {
        TreeMap<Object, Object> all = new TreeMap<>(System.getProperties());
        all.forEach((key, value) -> System.out.println(key + "=" + value));
        System.out.println(System.getenv());
        System.out.println(args.length + " " + System.in.getClass() + System.out.getClass() + System.getSecurityManager());
        System.out.println(Locale.getDefault() + " " + TimeZone.getDefault().getID() + " " + java.nio.charset.Charset.defaultCharset());
    }
}
