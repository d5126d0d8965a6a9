// wsload: thousands of WebSocket or Socket.IO viewers on one thread, for benches on this machine.
//
//   wsload PORT PATH CONNECTIONS [-R] [-a AUTH] [-o ORIGIN] [-c COOKIES] [-j MARK] [-e EVENT [-r RATE]] [-x]
//     -R          bare WebSockets: count frames. Otherwise Socket.IO 5 viewers, which answer pings
//     -a AUTH     JSON given when connecting
//     -o ORIGIN   the header of that name
//     -c COOKIES  a file with one Cookie header a line: the nth connection takes the nth line, and so on in turns
//     -j MARK     how the message begins that ends a viewer's joining (40: connected)
//     -e EVENT    a JSON array that each viewer asks with, again as soon as it is acknowledged; in it %p is this
//                 process, %c the viewer and %n the number of its call; several -e take turns
//     -r RATE     all viewers together ask so often a second instead
//     -x          print a line `.` for each event that the first viewer gets
//
// Prints a line of JSON when all have joined, then one for each line `measure SECONDS` on its standard input. At the end
// of its input it resets every connection (RST: no TIME_WAIT, no farewell) and ends.
//
// A message's age is now minus its "at" (ms since 1970). An event's last arrival is that at the last viewer.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    OPENING = 256,         // connections under way at one moment
    PORTS = 20000,         // connections from one loopback address
    BUFFER = 4 << 20,      // more than any message
    BINS = 100000,         // of a histogram
    EVENTS = 4096,         // whose arrivals are counted at one moment
    PATIENCE = 60,         // seconds to join
};
static const double BIN_MS = 0.05;

typedef enum { CONNECTING, UPGRADING, JOINING, JOINED, GONE } Stage;

typedef struct {
    int fd;
    Stage stage;
    int waiting;           // for an acknowledgement
    long calls;
    double asked_at;
    unsigned char *rest;   // the beginning of a message whose end has not arrived
    size_t rest_size;
} Viewer;

typedef struct {
    long counts[BINS], total;
} Histogram;

typedef struct {
    long seq, arrivals;
    double at;
} Event;

static int port, wanted, bare, echo;
static const char *path, *auth = "", *origin = "", *mark = "40", *questions[64];
static int question_count;
static double rate;
static char **cookies;
static int cookie_count;

static Viewer *viewers;
static int poller, opened, joined, refused;
static int measuring;
static double measure_began, measure_ends;  // seconds, monotonic
static double measure_began_at;             // ms since 1970
static long frames, bytes, closed, answers, failures, paced;
static Histogram ages, latencies, lasts;
static Event events[EVENTS];
static unsigned char buffer[BUFFER];

static void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static double now(void) { return seconds(CLOCK_MONOTONIC); }
static double now_ms(void) { return seconds(CLOCK_REALTIME) * 1e3; }

static void count(Histogram *histogram, double ms) {
    long bin = ms / BIN_MS;
    histogram->counts[bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin]++;
    histogram->total++;
}

// The value that a share of all does not exceed, in ms.
static double quantile(const Histogram *histogram, double share) {
    double left = share * histogram->total;
    for (int bin = 0; bin < BINS; bin++) {
        left -= histogram->counts[bin];
        if (left <= 0) return histogram->total ? (bin + 1) * BIN_MS : 0;
    }
    return BINS * BIN_MS;
}

static void tell(const char *line) {
    if (write(STDOUT_FILENO, line, strlen(line)) < 0) die("wsload: nobody listens.");
}

static void complain(const unsigned char *text, size_t size) {
    fprintf(stderr, "wsload: refused: %.*s\n", (int)(size < 400 ? size : 400), text);
}

static void lose(Viewer *viewer) {
    if (viewer->stage == GONE) return;
    if (viewer->stage == JOINED) { closed++; joined--; } else refused++;
    viewer->stage = GONE;
    close(viewer->fd);
}

static void transmit(Viewer *viewer, const void *data, size_t size) {
    if (send(viewer->fd, data, size, MSG_NOSIGNAL) != (ssize_t)size) lose(viewer);
}

// A client's frames must be masked; by zeros is enough (RFC 6455, section 5.3, asks for a random one to protect proxies).
static void say(Viewer *viewer, const char *text, size_t size) {
    unsigned char frame[2048] = {0x81};
    size_t head = 2;
    if (size + 8 > sizeof frame) die("wsload: a message of %zu bytes is too long.", size);
    if (size < 126) {
        frame[1] = 0x80 | size;
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = size >> 8;
        frame[3] = size;
        head = 4;
    }
    memcpy(frame + head + 4, text, size);
    transmit(viewer, frame, head + 4 + size);
}

static void ask(Viewer *viewer) {
    char text[1024];
    size_t size = sprintf(text, "42%ld", viewer->calls);
    for (const char *c = questions[viewer->calls % question_count]; *c; c++) {
        if (size > sizeof text - 32) die("wsload: the event is too long.");
        if (*c != '%') { text[size++] = *c; continue; }
        c++;
        long value = *c == 'p' ? getpid() : *c == 'c' ? viewer - viewers : viewer->calls;
        size += sprintf(text + size, "%ld", value);
    }
    viewer->calls++;
    viewer->waiting = 1;
    viewer->asked_at = now();
    say(viewer, text, size);
}

static void answered(Viewer *viewer, const unsigned char *text, size_t size) {
    viewer->waiting = 0;
    if (!measuring) return;
    answers++;
    if (memmem(text, size, "\"error\"", 7) && !failures++) complain(text, size);
    count(&latencies, (now() - viewer->asked_at) * 1e3);
    if (!rate) ask(viewer);
}

// The number after `name` in a message, and where it ends; 0 when there is none.
static double number(const unsigned char *text, size_t size, const char *name, const unsigned char **end) {
    const unsigned char *found = memmem(text, size, name, strlen(name));
    if (!found) return 0;
    char digits[24] = "";
    const unsigned char *c = found + strlen(name);
    for (int i = 0; i < 20 && c < text + size && *c >= '0' && *c <= '9'; i++) digits[i] = *c++;
    *end = c;
    return atof(digits);
}

static void arrived(long seq, double at, double ms) {
    Event *one = &events[seq % EVENTS];
    if (one->seq != seq) *one = (Event){.seq = seq, .at = at};
    if (++one->arrivals == joined) count(&lasts, ms - at);
}

static void news(const unsigned char *text, size_t size) {
    const unsigned char *end = text;
    double ms = now_ms();
    if (size > 11 && !memcmp(text, "42[\"event\",", 11)) {
        double at = number(text, size, "\"at\":", &end);
        if (at < measure_began_at) return;
        count(&ages, ms - at);
        arrived(number(text, size, "\"seq\":", &end), at, ms);
    } else if (size < 13 || memcmp(text, "42[\"snapshot\"", 13)) {
        for (double at; (at = number(end, text + size - end, "\"at\":", &end)) > 0;)
            if (at >= measure_began_at) count(&ages, ms - at);
    }
}

static void message(Viewer *viewer, const unsigned char *text, size_t size) {
    if (bare) { frames++; return; }
    char type = size ? text[0] : 0;
    if (type == '0') {
        char hello[1024];
        say(viewer, hello, snprintf(hello, sizeof hello, "40%s", auth));
    } else if (type == '2') {
        say(viewer, "3", 1);
    } else if (size > 1 && type == '4' && text[1] == '4') {
        if (!refused) complain(text, size);
        lose(viewer);
    } else if (size > 1 && type == '4' && text[1] == '3') {
        answered(viewer, text, size);
    } else {
        frames++;
        if (viewer->stage == JOINED && measuring) news(text, size);
        if (echo && viewer == viewers && size > 11 && !memcmp(text, "42[\"event\",", 11)) tell(".\n");
    }
    if (viewer->stage == JOINING && size >= strlen(mark) && !memcmp(text, mark, strlen(mark))) {
        viewer->stage = JOINED;
        joined++;
    }
}

static void upgrade(Viewer *viewer, int index) {
    char request[2048];
    int size = snprintf(
        request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: d3Nsb2FkIHdzbG9hZCB3cw==\r\n%s%s%s%s%s%s\r\n",
        path, port, *origin ? "Origin: " : "", origin, *origin ? "\r\n" : "", cookie_count ? "Cookie: " : "",
        cookie_count ? cookies[index % cookie_count] : "", cookie_count ? "\r\n" : "");
    viewer->stage = UPGRADING;
    transmit(viewer, request, size);
}

// Returns how many bytes were used; what remains is the beginning of something.
static size_t understand(Viewer *viewer, const unsigned char *data, size_t size) {
    size_t used = 0;
    if (viewer->stage == UPGRADING) {
        const unsigned char *end = memmem(data, size, "\r\n\r\n", 4);
        if (!end) return 0;
        if (memcmp(data, "HTTP/1.1 101", 12)) {
            if (!refused) complain(data, end - data);
            lose(viewer);
            return size;
        }
        viewer->stage = bare ? JOINED : JOINING;
        joined += bare;
        used = end + 4 - data;
    }
    while (size - used >= 2 && viewer->stage != GONE) {
        const unsigned char *frame = data + used;
        size_t head = 2, length = frame[1] & 127;
        if (length >= 126) head += length == 126 ? 2 : 8;
        if (size - used < head) break;
        if (head > 2) length = 0;
        for (size_t i = 2; i < head; i++) length = length << 8 | frame[i];
        if (head + length > BUFFER) die("wsload: a message of %zu bytes is too long.", length);
        if (size - used < head + length) break;
        if ((frame[0] & 15) == 8) lose(viewer);
        else message(viewer, frame + head, length);
        used += head + length;
    }
    return used;
}

static void hear(Viewer *viewer) {
    size_t before = viewer->rest_size;
    if (before) memcpy(buffer, viewer->rest, before);
    ssize_t got = recv(viewer->fd, buffer + before, BUFFER - before, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) { lose(viewer); return; }
    bytes += got;
    size_t size = before + got, used = understand(viewer, buffer, size);
    viewer->rest_size = size - used;
    if (viewer->rest_size) {
        viewer->rest = realloc(viewer->rest, viewer->rest_size);
        memcpy(viewer->rest, buffer + used, viewer->rest_size);
    }
}

static void open_next(void) {
    Viewer *viewer = &viewers[opened];
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + opened / PORTS)};
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct linger reset = {.l_onoff = 1};
    int on = 1;
    viewer->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (viewer->fd < 0) die("wsload: no socket: %s.", strerror(errno));
    setsockopt(viewer->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    setsockopt(viewer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(viewer->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(viewer->fd, (struct sockaddr *)&here, sizeof here)) die("wsload: bind: %s.", strerror(errno));
    if (connect(viewer->fd, (struct sockaddr *)&there, sizeof there) && errno != EINPROGRESS)
        die("wsload: connect: %s.", strerror(errno));
    struct epoll_event interest = {.events = EPOLLIN | EPOLLOUT, .data.u32 = opened};
    epoll_ctl(poller, EPOLL_CTL_ADD, viewer->fd, &interest);
    opened++;
}

static void happened(const struct epoll_event *what) {
    Viewer *viewer = &viewers[what->data.u32];
    if (viewer->stage == CONNECTING) {
        struct epoll_event interest = {.events = EPOLLIN, .data.u32 = what->data.u32};
        epoll_ctl(poller, EPOLL_CTL_MOD, viewer->fd, &interest);
        if (what->events & (EPOLLERR | EPOLLHUP)) lose(viewer);
        else upgrade(viewer, what->data.u32);
    } else if (viewer->stage != GONE) {
        hear(viewer);
    }
}

static void begin(double lasting) {
    frames = bytes = closed = answers = failures = paced = 0;
    memset(&ages, 0, sizeof ages);
    memset(&latencies, 0, sizeof latencies);
    memset(&lasts, 0, sizeof lasts);
    memset(events, 0, sizeof events);
    measuring = 1;
    measure_began = now();
    measure_began_at = now_ms() - 1;
    measure_ends = measure_began + lasting;
    if (question_count && !rate)
        for (int i = 0; i < opened; i++)
            if (viewers[i].stage == JOINED && !viewers[i].waiting) ask(&viewers[i]);
}

// Ask as often as the rate demands; a viewer that still waits is passed over, and its turn is lost.
static void keep_pace(void) {
    for (long due = (now() - measure_began) * rate; paced < due; paced++) {
        Viewer *viewer = &viewers[paced % opened];
        if (viewer->stage == JOINED && !viewer->waiting) ask(viewer);
    }
}

static void report(void) {
    char line[512];
    measuring = 0;
    snprintf(
        line, sizeof line,
        "{\"seconds\":%.6f,\"joined\":%d,\"frames\":%ld,\"bytes\":%ld,\"closed\":%ld,\"calls\":%ld,\"failures\":%ld,"
        "\"call_p50_ms\":%.2f,\"call_p99_ms\":%.2f,\"ages\":%ld,\"age_p50_ms\":%.2f,\"age_p99_ms\":%.2f,"
        "\"events\":%ld,\"last_p50_ms\":%.2f,\"last_p99_ms\":%.2f}\n",
        now() - measure_began, joined, frames, bytes, closed, answers, failures, quantile(&latencies, 0.5),
        quantile(&latencies, 0.99), ages.total, quantile(&ages, 0.5), quantile(&ages, 0.99), lasts.total,
        quantile(&lasts, 0.5), quantile(&lasts, 0.99));
    tell(line);
}

// False at the end of the input.
static int command(void) {
    char line[64] = "";
    double lasting;
    if (read(STDIN_FILENO, line, sizeof line - 1) <= 0) return 0;
    if (sscanf(line, "measure %lf", &lasting) != 1) die("wsload: `measure SECONDS` is what it understands.");
    begin(lasting);
    return 1;
}

static void read_cookies(const char *name) {
    FILE *file = fopen(name, "r");
    if (!file) die("wsload: %s: %s.", name, strerror(errno));
    char *line = NULL;
    size_t capacity = 0;
    for (ssize_t size; (size = getline(&line, &capacity, file)) > 0;) {
        line[strcspn(line, "\r\n")] = 0;
        cookies = realloc(cookies, (cookie_count + 1) * sizeof *cookies);
        cookies[cookie_count++] = strdup(line);
    }
    fclose(file);
}

static void read_arguments(int argc, char **argv) {
    for (int option; (option = getopt(argc, argv, "Ra:o:c:j:e:r:x")) != -1;) {
        if (option == 'R') bare = 1;
        else if (option == 'a') auth = optarg;
        else if (option == 'o') origin = optarg;
        else if (option == 'c') read_cookies(optarg);
        else if (option == 'j') mark = optarg;
        else if (option == 'e' && question_count < 64) questions[question_count++] = optarg;
        else if (option == 'r') rate = atof(optarg);
        else if (option == 'x') echo = 1;
        else exit(2);
    }
    if (argc - optind != 3) die("wsload PORT PATH CONNECTIONS [options]: see the head of wsload.c.");
    port = atoi(argv[optind]);
    path = argv[optind + 1];
    wanted = atoi(argv[optind + 2]);
}

static void allow_files(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < (rlim_t)wanted + 16) die("wsload: %d connections need `ulimit -n %d`.", wanted, wanted + 16);
}

int main(int argc, char **argv) {
    read_arguments(argc, argv);
    allow_files();
    viewers = calloc(wanted, sizeof *viewers);
    poller = epoll_create1(0);
    struct epoll_event input = {.events = EPOLLIN, .data.u32 = wanted}, ready[1024];
    int told = 0, on = 1;
    double began = now();
    for (;;) {
        while (opened < wanted && opened - joined - refused < OPENING) open_next();
        int timeout = opened < wanted ? 0 : measuring && rate > 0 ? 1 : 10;
        int many = epoll_wait(poller, ready, sizeof ready / sizeof *ready, timeout);
        for (int i = 0; i < many && on; i++) {
            if (ready[i].data.u32 == (unsigned)wanted) on = command();
            else happened(&ready[i]);
        }
        if (!on) break;
        if (!told && (joined + refused == wanted || now() - began > PATIENCE)) {
            told = 1;
            char line[128];
            sprintf(line, "{\"joined\":%d,\"refused\":%d,\"seconds\":%.6f}\n", joined, wanted - joined, now() - began);
            tell(line);
            epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &input);
        }
        if (measuring && question_count && rate) keep_pace();
        if (measuring && now() >= measure_ends) report();
    }
    for (int i = 0; i < opened; i++)
        if (viewers[i].stage != GONE) close(viewers[i].fd);
    return 0;
}
