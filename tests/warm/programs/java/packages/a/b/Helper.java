package a.b;

public class Helper {
    public int twice(int n) {
        return n * 2;
    }
}
