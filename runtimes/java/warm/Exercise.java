// What programs of beginners and of competitions use first. Nothing of it reaches descriptors 0, 1 or 2.
package cloister.warm;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Scanner;
import java.util.StringJoiner;
import java.util.StringTokenizer;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

public final class Exercise {
    private static final int ROUNDS = 5;

    private Exercise() {}

    /** Also what is archived: the kit runs this alone. */
    public static void main(String[] arguments) {
        for (int round = 0; round < ROUNDS; round++) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
            readAndPrint(out, round);
            collect(out, round);
            stream(out, round);
            compute(out, round);
        }
    }

    private static void readAndPrint(PrintStream out, int round) {
        byte[] text = "3 4.5 word\nline two é\n7\n".getBytes(StandardCharsets.UTF_8);
        Scanner scanner = new Scanner(new ByteArrayInputStream(text));
        out.println(scanner.nextInt() + scanner.nextDouble() + scanner.next() + scanner.nextLine());
        out.println(scanner.hasNextLine() ? scanner.nextLine() : "");
        out.println(scanner.nextLong());
        BufferedReader reader = new BufferedReader(new InputStreamReader(new ByteArrayInputStream(text)));
        reader.lines().map(line -> new StringTokenizer(line).countTokens()).forEach(out::println);
        out.printf("%d %5.2f %s %08x %c%n", round, 2.5 * round, "text", round, 'c');
        out.println(String.format("%-10s|%10s|%,d", "a", "b", 1000000 + round));
        out.println(round);
        out.println('c');
        out.println(1.5);
        out.println(true);
        out.println((Object) null);
        out.println(new char[] {'a'});
        out.print(1L);
        StringBuilder builder = new StringBuilder();
        for (int i = 0; i < 20; i++) builder.append(i).append(',').append(i * 0.5).append("x");
        out.println(builder.reverse());
        String joined = "n=" + round + ", d=" + 1.5 + ", c=" + 'c' + ", l=" + 2L + ", o=" + List.of(1) + ", b=" + true;
        out.println(String.join(";", joined.split(", ")).toUpperCase().trim().replace("N", "M").substring(1));
        out.println(Pattern.compile("([a-z])=(\\d+)").matcher(joined).replaceAll("$2"));
        out.println(Integer.parseInt("12") + Long.parseLong("13") + Double.parseDouble("1.25") + Integer.toBinaryString(5));
        try {
            throw new IllegalStateException("m", new RuntimeException("cause"));
        } catch (IllegalStateException error) {
            error.printStackTrace(out);
        }
    }

    private static void collect(PrintStream out, int round) {
        List<Integer> numbers = new ArrayList<>();
        Random random = new Random(round);
        for (int i = 0; i < 50; i++) numbers.add(random.nextInt(100));
        Collections.sort(numbers);
        numbers.sort(Comparator.comparing((Integer n) -> n % 10).thenComparing(Comparator.reverseOrder()));
        Map<String, Integer> counts = new HashMap<>();
        Map<String, List<Integer>> groups = new TreeMap<>();
        for (int n : numbers) {
            counts.merge("k" + n % 7, 1, Integer::sum);
            groups.computeIfAbsent("g" + n % 3, key -> new LinkedList<>()).add(n);
        }
        for (Map.Entry<String, Integer> entry : counts.entrySet()) out.println(entry.getKey() + "=" + entry.getValue());
        groups.forEach((key, value) -> out.println(key + value));
        ArrayDeque<Integer> queue = new ArrayDeque<>(numbers);
        PriorityQueue<int[]> heap = new PriorityQueue<>((a, b) -> Integer.compare(a[0], b[0]));
        while (!queue.isEmpty()) heap.add(new int[] {queue.poll(), 1});
        while (!heap.isEmpty()) heap.poll();
        out.println(new HashSet<>(numbers).size() + new TreeSet<>(numbers).first() + new LinkedHashMap<>(counts).size());
        int[] array = {3, 1, 2};
        Arrays.sort(array);
        Integer[] boxed = {3, 1, 2};
        Arrays.sort(boxed, Collections.reverseOrder());
        out.println(Arrays.toString(array) + Arrays.asList(boxed) + Arrays.deepToString(new int[][] {{1}, {2}}));
        out.println(List.of(1, 2, 3) + "" + Map.of("a", 1) + new StringJoiner(",", "[", "]").add("x"));
    }

    private static void stream(PrintStream out, int round) {
        out.println(IntStream.rangeClosed(1, 20).filter(n -> n % 2 == 0).mapToObj(Integer::toString)
                .collect(Collectors.joining(", ")));
        out.println(Stream.of("b", "a", "c").sorted().map(String::toUpperCase).collect(Collectors.toList()));
        out.println(Stream.of("aa", "b").collect(Collectors.groupingBy(String::length, Collectors.counting())));
        out.println(List.of(1, 2, 3).stream().mapToInt(Integer::intValue).sum() + Optional.of(round).map(n -> n + 1).get());
        out.println(Arrays.stream(new int[] {1, 2}).boxed().reduce(0, Integer::sum));
    }

    private static void compute(PrintStream out, int round) {
        out.println(BigInteger.valueOf(round + 2).pow(40).mod(BigInteger.valueOf(97)));
        out.println(new BigDecimal("1.10").add(BigDecimal.ONE).setScale(1, java.math.RoundingMode.HALF_UP));
        out.println(Math.sqrt(round) + Math.pow(2, round) + Math.abs(-1) + Math.max(1, round) + Math.floorMod(-1, 3));
        ConcurrentHashMap<Integer, AtomicInteger> shared = new ConcurrentHashMap<>();
        shared.computeIfAbsent(round, key -> new AtomicInteger()).incrementAndGet();
        long sum = 0;
        for (int i = 0; i < 5000; i++) sum += i % 7 * (long) i;
        out.println(sum + System.nanoTime() + System.currentTimeMillis() + shared.size());
    }
}
