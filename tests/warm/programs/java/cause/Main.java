public class Main {
    public static void main(String[] args) throws Exception {
        try {
            Object[] array = new Integer[1];
            array[0] = "text";
        } catch (Exception error) {
            RuntimeException outer = new RuntimeException("outer", error);
            outer.addSuppressed(new IllegalStateException("beside"));
            throw outer;
        }
    }
}
