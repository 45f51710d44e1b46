class Helper {
    void f(int n) {
        java.util.List<String> raw = new java.util.ArrayList();
        throw new Exception();
    }
}
