// javac's warm starter: compiles samples, waits, and then is javac for the one command that it is given.
package cloister.warm;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

public final class Compiler {
    private static final int ROUNDS = 2;
    private static final String WRONG = "public class Wrong { int f() { String s = 1; return t; } void g( { } }\n";
    private static final String WRONG_TOO = "public class WrongToo { int f() { String s = 1; return t.u(); } }\n";

    private Compiler() {}

    /** {@code arguments}: the path of a source file to compile for exercise. */
    public static void main(String[] arguments) throws Exception {
        exercise(arguments[0]);
        System.gc();
        String[] words = Pipes.await();
        // The first word is javac itself; those for the JVM are this JVM's already.
        com.sun.tools.javac.Main.main(
                Stream.of(words).skip(1).filter(word -> !word.startsWith("-J")).toArray(String[]::new));
    }

    private static void exercise(String sample) throws IOException {
        Path folder = Files.createTempDirectory("javac");
        Path wrong = Files.writeString(folder.resolve("Wrong.java"), WRONG);
        Path wrongToo = Files.writeString(folder.resolve("WrongToo.java"), WRONG_TOO);
        PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
        for (int round = 0; round < ROUNDS; round++) {
            for (String source : List.of(sample, wrong.toString(), wrongToo.toString())) {
                com.sun.tools.javac.Main.compile(
                        new String[] {"-encoding", "UTF-8", "-proc:none", "-d", folder.toString(), source}, nowhere);
            }
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }
}
