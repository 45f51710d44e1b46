import java.util.*;
public class Main {
    public static void main(String[] args) throws Exception {
        Scanner in = new Scanner(System.in);
        int n = in.nextInt();
        long sum = 0;
        while (n-- > 0) sum += in.nextLong();
        in.nextLine();
        System.out.println(sum + " " + in.nextLine());
        System.out.println(in.nextLine());
    }
}
