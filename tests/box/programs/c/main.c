// What an honest C program may expect of a box. Each line ends in "ok" or says what went wrong.
#include "helper.h"

#include <arpa/inet.h>
#include <complex.h>
#include <dirent.h>
#include <math.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void check(const char* name, int good) { printf("%s %s\n", name, good ? "ok" : "FAILED"); }

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int count;

static void* work(void* unused) {
    (void)unused;
    pthread_mutex_lock(&lock);
    ++count;
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void threads(void) {
    pthread_t workers[16];
    for (int i = 0; i < 16; ++i) pthread_create(&workers[i], NULL, work, NULL);
    for (int i = 0; i < 16; ++i) pthread_join(workers[i], NULL);
    check("threads", count == 16);
}

static void processes(void) {
    const pid_t child = fork();
    if (child == 0) _exit(3);
    int status = 0;
    waitpid(child, &status, 0);
    check("fork", WIFEXITED(status) && WEXITSTATUS(status) == 3);
    sem_t* shared =
        mmap(NULL, sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sem_init(shared, 1, 0);
    if (fork() == 0) _exit(sem_post(shared));
    check("semaphores", sem_wait(shared) == 0);
    wait(NULL);
    check("no shell", system("true") != 0);
    check("no /usr/bin", opendir("/usr/bin") == NULL);
}

static void on_alarm(int number) { (void)number; }

static void times(void) {
    signal(SIGALRM, on_alarm);
    alarm(1);
    const struct timespec moment = {.tv_nsec = 1000000};
    check("sleep", nanosleep(&moment, NULL) == 0);
    pause();
    check("alarm", 1);
    setenv("TZ", "Asia/Seoul", 1);
    const time_t zero = 0;
    check("zones", localtime(&zero)->tm_hour == 9);
}

static void network(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    check("listen", bind(server, (struct sockaddr*)&address, size) == 0 && listen(server, 1) == 0);
    getsockname(server, (struct sockaddr*)&address, &size);
    check("connect over loopback", connect(client, (struct sockaddr*)&address, size) == 0);
    const int accepted = accept(server, NULL, NULL);
    char letter = 0;
    check("bytes over loopback",
          send(client, "x", 1, 0) == 1 && recv(accepted, &letter, 1, 0) == 1 && letter == 'x');
    struct addrinfo* found = NULL;
    check("localhost", getaddrinfo("localhost", NULL, NULL, &found) == 0);
}

static void files(void) {
    FILE* file = fopen("a.txt", "w");
    check("files", file != NULL && fputs("hi", file) >= 0 && fclose(file) == 0);
    check("temporary files", tmpfile() != NULL);
    check("a user with a name", getpwuid(getuid()) != NULL);
}

int main(int argc, char** argv) {
    threads();
    processes();
    times();
    network();
    files();
    check("mathematics", fabs(sin(atof("1.5")) - 0.997494986604) < 1e-9 && cabs(3 + 4 * I) == 5);
    check("arguments", argc == 3 && strcmp(argv[2], "two words") == 0);
    check("a second file", helper() == 42);
    char line[64];
    check("stdin", fgets(line, sizeof line, stdin) != NULL && strcmp(line, "first\n") == 0);
    return 0;
}
