import java.io.*;
public class Main {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null; ) System.out.println(line.length() + " " + line);
        System.out.println(System.in.available() + " " + System.in.read());
    }
}
