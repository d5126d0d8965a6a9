// sendfloor PORT CONNECTIONS BYTES: the floor below every broadcast. Accepts so many WebSockets, then sends one prebuilt
// text frame with BYTES of payload to each of them in turn, one system call a viewer, from SIGUSR2 until somebody hangs up.
#include <errno.h>
#include <signal.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const char ACCEPTED[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: -\r\n\r\n";

static int must(int result, const char *what) {
    if (result < 0) {
        perror(what);
        exit(1);
    }
    return result;
}

static int listening(int port) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = must(socket(AF_INET, SOCK_STREAM, 0), "socket"), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    must(bind(listener, (struct sockaddr *)&here, sizeof here), "bind");
    must(listen(listener, 4096), "listen");
    return listener;
}

static int accepted(int listener) {
    char request[4096];
    int viewer = must(accept(listener, NULL, NULL), "accept"), on = 1;
    setsockopt(viewer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (recv(viewer, request, sizeof request, 0) <= 0) {  // whoever only asked whether the port is open
        close(viewer);
        return -1;
    }
    must(send(viewer, ACCEPTED, sizeof ACCEPTED - 1, MSG_NOSIGNAL), "send");
    return viewer;
}

static size_t framed(unsigned char *frame, size_t payload) {
    size_t head = payload < 126 ? 2 : 4;
    frame[0] = 0x81;
    frame[1] = payload < 126 ? payload : 126;
    if (head == 4) {
        frame[2] = payload >> 8;
        frame[3] = payload;
    }
    memset(frame + head, 'x', payload);
    return head + payload;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "sendfloor PORT CONNECTIONS BYTES\n");
        return 2;
    }
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int listener = listening(atoi(argv[1])), count = atoi(argv[2]);
    int *viewers = calloc(count, sizeof *viewers);
    unsigned char frame[65540];
    size_t size = framed(frame, atoi(argv[3]));
    sigset_t begin;
    int number;
    sigemptyset(&begin);
    sigaddset(&begin, SIGUSR2);
    sigprocmask(SIG_BLOCK, &begin, NULL);
    for (int i = 0; i < count;)
        if ((viewers[i] = accepted(listener)) >= 0) i++;
    sigwait(&begin, &number);
    for (;;)
        for (int i = 0; i < count; i++)
            if (send(viewers[i], frame, size, MSG_NOSIGNAL) < 0) {
                if (errno != EPIPE && errno != ECONNRESET) perror("send");
                return 0;
            }
}
