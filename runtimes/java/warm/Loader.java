// Java's warm starter for programs. The launcher asks the system class loader, which is this one at first,
// for the class Main: that is where the JVM warms up and waits. Then the JVM's own loader takes this one's
// place and finds Main, and the launcher goes on as ever, so there is no frame of ours below main().
package cloister.warm;

import jdk.internal.misc.Unsafe;

public final class Loader extends ClassLoader {
    private final ClassLoader own;
    private boolean waited;

    /** For the JVM, which makes it while it starts; {@code own} is the loader that it would have used. */
    public Loader(ClassLoader own) {
        super(own);
        this.own = own;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!waited && name.equals("Main")) {
            waited = true;
            try {
                warmUp();
                Pipes.await();
                vanish();
            } catch (Exception error) {
                error.printStackTrace();
                Runtime.getRuntime().halt(127);
            }
        }
        return own.loadClass(name);
    }

    /** In a thread of its own, so that the main thread's identity hash codes begin where they always do. */
    private void warmUp() throws Exception {
        Unsafe unsafe = Unsafe.getUnsafe();
        long numbers = unsafe.objectFieldOffset(Thread.class, "threadSeqNumber");
        long number = unsafe.getLong(Thread.class, numbers);
        Thread thread = new Thread(null, this::exercise, "warm-up");
        thread.start();
        thread.join();
        unsafe.putLong(Thread.class, numbers, number);
        System.gc(); // the program finds its heap empty
    }

    private void exercise() {
        Exercise.main(new String[0]);
        try {
            Class.forName("java.lang.Shutdown", false, null);
            own.loadClass("absent.Absent"); // looks into /app, where there is nothing yet; remembers nothing
        } catch (ClassNotFoundException expected) {
            return;
        }
    }

    private void vanish() {
        Unsafe unsafe = Unsafe.getUnsafe();
        unsafe.putReferenceVolatile(
                ClassLoader.class, unsafe.objectFieldOffset(ClassLoader.class, "scl"), own);
        Thread.currentThread().setContextClassLoader(own);
        System.clearProperty("java.system.class.loader");
        System.clearProperty("jdk.module.path");
    }
}
