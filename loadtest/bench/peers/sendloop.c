/* The floor of a fan-out: one send() per socket and frame, and nothing else.
 *
 * Prints its port. Accepts sockets and answers their handshake. A line "N text" on standard input
 * sends the text as one WebSocket frame to every socket N times, ten times a second as far as it
 * can, and is answered with "done". Ends with its standard input.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SOCKETS_MAX 65536
#define TEXT_MAX 65535
#define EVERY_NS 100000000LL

static int screens[SOCKETS_MAX];
static int count;

static const char welcome[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

static long long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* A handshake is small and comes at once, so it is read without further ado. */
static void greet(int listener)
{
    char request[4096];
    size_t had = 0;
    int on = 1, fd = accept(listener, NULL, NULL);
    if (fd < 0 || count == SOCKETS_MAX)
        return;
    while (had < sizeof request - 1) {
        ssize_t got = read(fd, request + had, sizeof request - 1 - had);
        if (got <= 0) {
            close(fd);
            return;
        }
        had += (size_t)got;
        request[had] = 0;
        if (strstr(request, "\r\n\r\n"))
            break;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (write(fd, welcome, sizeof welcome - 1) < 0) {
        close(fd);
        return;
    }
    screens[count++] = fd;
}

static void tell(const char *text, size_t size, long times)
{
    static unsigned char frame[TEXT_MAX + 4];
    size_t head = size < 126 ? 2 : 4;
    frame[0] = 0x81;
    frame[1] = size < 126 ? (unsigned char)size : 126;
    if (head == 4) {
        frame[2] = (unsigned char)(size >> 8);
        frame[3] = (unsigned char)size;
    }
    memcpy(frame + head, text, size);
    while (times-- > 0) {
        long long begun = now_ns(), rest;
        for (int i = 0; i < count; i++)
            if (send(screens[i], frame, head + size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
                errno = 0; /* a full or dead socket misses a frame */
        rest = begun + EVERY_NS - now_ns();
        if (rest > 0) {
            struct timespec t = {rest / 1000000000LL, rest % 1000000000LL};
            nanosleep(&t, NULL);
        }
    }
}

int main(void)
{
    static char line[TEXT_MAX + 32];
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof where;
    struct rlimit files;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (bind(listener, (struct sockaddr *)&where, size) || listen(listener, 4096))
        return 1;
    getsockname(listener, (struct sockaddr *)&where, &size);
    setvbuf(stdin, NULL, _IONBF, 0);
    printf("%d\n", ntohs(where.sin_port));
    fflush(stdout);
    for (;;) {
        struct pollfd ready[2] = {{listener, POLLIN, 0}, {0, POLLIN, 0}};
        poll(ready, 2, -1);
        if (ready[0].revents)
            greet(listener);
        if (ready[1].revents) {
            char *text;
            long times;
            if (!fgets(line, sizeof line, stdin))
                return 0;
            times = strtol(line, &text, 10);
            text += *text == ' ';
            tell(text, strcspn(text, "\n"), times);
            puts("done");
            fflush(stdout);
        }
    }
}
