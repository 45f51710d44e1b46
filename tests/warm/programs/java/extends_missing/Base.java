class Base {
    void hi() {
        throw new UnsupportedOperationException(getClass().getName());
    }
}
