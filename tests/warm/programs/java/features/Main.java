import java.util.*;
import java.util.stream.*;
public class Main {
    public static void main(String[] args) throws Exception {
        record Point(int x, int y) {}
        var points = List.of(new Point(1, 2), new Point(3, 4));
        System.out.println(points + " " + points.stream().mapToInt(Point::x).sum());
        String text = switch (points.size()) {
            case 2 -> "two";
            default -> "many";
        };
        System.out.println(text + """
             block
            """);
        Object o = 5;
        if (o instanceof Integer n && n > 3) System.out.println(n);
        Map<Boolean, List<Integer>> parts = IntStream.range(0, 6).boxed().collect(Collectors.partitioningBy(k -> k % 2 == 0));
        System.out.println(parts);
        System.out.println(new Random(42).nextInt(1000) + " " + new Random(42).ints(3, 0, 10).boxed().toList());
    }
}
