final class Helper {
    static final int VALUE = Integer.parseInt("42");
}
