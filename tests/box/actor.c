/* The program that the box tests run: plays whatever part its first argument names. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void sleep_ms(long ms) {
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {}
}

static void on_interrupt(int number) {
    (void)number;
    _exit(7);
}

static void write_all(int fd, const char* bytes, size_t size) {
    while (size > 0) {
        ssize_t done = write(fd, bytes, size);
        if (done < 0) _exit(9);
        bytes += done;
        size -= (size_t)done;
    }
}

static int copy_input(void) {
    static char block[65536];
    for (ssize_t size; (size = read(0, block, sizeof block)) > 0;)
        write_all(1, block, (size_t)size);
    return 0;
}

/* Stands in for a compiler: what it leaves is an executable, made by a program in a box. */
static int compile(void) {
    static char block[65536];
    int in = open("/proc/self/exe", O_RDONLY);
    int out = open("/box/program", O_CREAT | O_EXCL | O_WRONLY, 0755);
    if (in < 0 || out < 0) return 5;
    for (ssize_t size; (size = read(in, block, sizeof block)) > 0;)
        write_all(out, block, (size_t)size);
    close(out);
    mkdir("/box/folder", 0755);
    return 0;
}

/* Tries to change what it was compiled to. */
static int change_artifact(void) {
    if (open("/app/program", O_WRONLY) >= 0 || open("/app/more", O_CREAT | O_WRONLY, 0600) >= 0)
        return 1;
    if (unlink("/app/program") == 0 || rename("/app/program", "/app/other") == 0 ||
        rmdir("/app/folder") == 0)
        return 2;
    if (chmod("/app/program", 0777) == 0) return 3;
    puts("unchanged");
    return 0;
}

/* Leaves files that a run was asked for, then fights whoever reads them. */
static int leave(int argc, char** argv) {
    static char zeros[4096];
    for (int i = 2; i + 1 < argc; i += 2) { /* path, bytes */
        char* slash = argv[i];
        while ((slash = strchr(slash + 1, '/')) != NULL) {
            *slash = '\0';
            mkdir(argv[i], 0700);
            *slash = '/';
        }
        int fd = open(argv[i], O_CREAT | O_WRONLY | O_TRUNC, 0600);
        if (fd < 0) return 5;
        for (long left = atol(argv[i + 1]); left > 0; left -= (long)sizeof zeros)
            write_all(fd, zeros, left < (long)sizeof zeros ? (size_t)left : sizeof zeros);
        close(fd);
    }
    mkdir("folder", 0700);
    close(open("closed", O_CREAT | O_WRONLY, 0));
    close(open("locked", O_CREAT | O_WRONLY, 0600));
    int locked = open("locked", O_RDONLY);
    fcntl(locked, F_SETLEASE, F_WRLCK);
    for (int i = 0; i < 20; ++i) {
        if (fork() == 0) {
            signal(SIGTERM, SIG_IGN);
            for (;;) {}
        }
    }
    return 0;
}

/* As before, but goes on until a limit ends it. */
static int stay(int argc, char** argv) {
    const char* how = argv[2];
    int failed = leave(argc - 1, argv + 1);
    if (failed) return failed;
    if (strcmp(how, "grow") == 0) {
        for (;;) memset(malloc(1 << 20), 1, 1 << 20);
    }
    for (;;) {
        if (strcmp(how, "wait") == 0) pause();
    }
}

int main(int argc, char** argv) {
    const char* part = argc > 1 ? argv[1] : "";
    long number = argc > 2 ? atol(argv[2]) : 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(part, "hello") == 0) return puts("Hello, world") < 0;
    if (strcmp(part, "copy") == 0) return copy_input();
    if (strcmp(part, "exit") == 0) return (int)number;
    if (strcmp(part, "raise") == 0) return raise((int)number);
    if (strcmp(part, "sleep") == 0) return sleep_ms(number), 0;
    if (strcmp(part, "compile") == 0) return compile();
    if (strcmp(part, "leave") == 0) return leave(argc, argv);
    if (strcmp(part, "stay") == 0 && argc > 2) return stay(argc, argv);
    if (strcmp(part, "change") == 0) return change_artifact();
    if (strcmp(part, "fail_to_compile") == 0) return fprintf(stderr, "main.x:1: error\n"), 1;
    if (strcmp(part, "arguments") == 0) {
        for (int i = 2; i < argc; ++i) printf("[%s]", argv[i]);
        return 0;
    }
    if (strcmp(part, "surroundings") == 0) {
        char folder[256];
        printf("%s %d %d\n", getcwd(folder, sizeof folder), (int)getuid(), (int)getpid());
        return 0;
    }
    if (strcmp(part, "in_turns") == 0) {
        for (long i = 0; i < number; ++i) write_all(1 + i % 2, i % 2 ? "err\n" : "out\n", 4);
        return 0;
    }
    if (strcmp(part, "both") == 0) return puts("to stdout"), fputs("to stderr\n", stderr), 0;
    if (strcmp(part, "by_name") == 0) { /* the streams, as programs for judges open them */
        char line[64] = "";
        FILE* input = fopen("/dev/stdin", "r");
        if (input == NULL || fgets(line, sizeof line, input) == NULL) return 2;
        FILE* output = fopen("/dev/stdout", "w");
        FILE* errors = fopen("/dev/stderr", "w");
        if (output == NULL || errors == NULL) return 3;
        return fputs(line, output) < 0 || fputs(line, errors) < 0 || fclose(output) ||
               fclose(errors);
    }
    if (strcmp(part, "write") == 0) {
        static char block[65536];
        memset(block, 'x', sizeof block);
        for (; number > 0; number -= (long)sizeof block) {
            write_all(1, block, number < (long)sizeof block ? (size_t)number : sizeof block);
        }
        return 0;
    }
    if (strcmp(part, "spin") == 0) { /* until so much processor time is used */
        while (clock() / (CLOCKS_PER_SEC / 1000) < number) {}
        return 0;
    }
    if (strcmp(part, "touch") == 0) {
        size_t size = (size_t)number << 20;
        char* block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED) return 5;
        for (size_t i = 0; i < size; i += 4096) block[i] = 1;
        return 0;
    }
    if (strcmp(part, "touch_files") == 0) {
        static char block[1 << 20];
        int fd = open("/tmp/file", O_CREAT | O_WRONLY, 0600);
        memset(block, 1, sizeof block);
        while (number-- > 0) write_all(fd, block, sizeof block);
        return 0;
    }
    if (strcmp(part, "touch_many") == 0) { /* a tenth of it in each of ten processes */
        for (int i = 0; i < 10; ++i) {
            if (fork() != 0) continue;
            size_t size = ((size_t)number << 20) / 10;
            char* block =
                mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            for (size_t k = 0; k < size; k += 4096) block[k] = 1;
            sleep_ms(5000);
            _exit(0);
        }
        while (wait(NULL) > 0) {}
        return 0;
    }
    if (strcmp(part, "stop") == 0) return raise(SIGSTOP), sleep_ms(60000), 0;
    if (strcmp(part, "ignore") == 0) {
        for (int i = 1; i < 65; ++i) signal(i, SIG_IGN);
        for (volatile long i = 0;; ++i) {}
    }
    if (strcmp(part, "fork") == 0) { /* until refused, and then gives up */
        for (;;) {
            pid_t child = fork();
            if (child < 0) return 1;
            if (child == 0) return sleep_ms(5000), 0;
        }
    }
    if (strcmp(part, "leave") == 0) { /* somebody behind who holds the output */
        if (fork() == 0) {
            setsid();
            if (fork() == 0) sleep_ms(8000);
            _exit(0);
        }
        return puts("done"), 0;
    }
    if (strcmp(part, "interrupt") == 0) {
        signal(SIGINT, on_interrupt);
        puts("waiting");
        sleep_ms(60000);
        return 0;
    }
    if (strcmp(part, "forge") == 0) {
        puts("{\"type\":\"execution_result\",\"status\":\"ok\",\"exit_code\":0}\nverdict: ok");
        fputs("cloister: step execute failed\n", stderr);
        return (int)number;
    }
    if (strcmp(part, "kill_all") == 0) {
        if (fork() == 0) sleep_ms(60000);
        kill(-1, SIGKILL);
        kill(0, SIGCHLD);
        kill(1, SIGKILL);
        puts("still here");
        return 0;
    }
    if (strcmp(part, "mount") == 0) return mount("t", "/tmp", "tmpfs", 0, NULL) == 0;
    if (strcmp(part, "ptrace") == 0) return syscall(SYS_ptrace, 0, 0, 0, 0) == 0;
    if (strcmp(part, "crash") == 0) {
        volatile int* nowhere = NULL;
        return *nowhere;
    }
    return 64;
}
