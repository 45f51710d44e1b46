public class Main {
    public static void main(String[] args) throws Exception {
        System.out.println("naïve 日本 🐍 " + "🐍".length());
        System.out.printf("%s %5.2f %,d%n", "é", 2.5, 1234567);
        System.err.println("ä");
    }
}
