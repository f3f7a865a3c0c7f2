import Glibc
import Model

/// What every process tells of itself, by the names that Prometheus' own client libraries use.
enum ProcessMetrics {
    static func append(to text: inout MetricsText) {
        text.gauge(
            "meridian_build_info", help: "Constant 1; the labels say what was built, and how.",
            labels: ["version": Release.version, "build": Release.kind], 1)
        var usage = rusage()
        if unsafe getrusage(RUSAGE_SELF.rawValue, &usage) == 0 {
            text.counter(
                "process_cpu_seconds_total", help: "User and system time spent, in seconds.",
                amount: seconds(usage.ru_utime) + seconds(usage.ru_stime))
        }
        if let pages = statm() {
            text.gauge(
                "process_resident_memory_bytes", help: "Memory that is there.", pages.resident * Double(getpagesize()))
            text.gauge(
                "process_virtual_memory_bytes", help: "Memory that is addressed.",
                pages.virtual * Double(getpagesize()))
        }
        if let open = openDescriptors() { text.gauge("process_open_fds", help: "Open file descriptors.", open) }
        var limit = rlimit()
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            text.gauge("process_max_fds", help: "The most file descriptors that may be open.", Double(limit.rlim_cur))
        }
        if let start = startTime() {
            text.gauge(
                "process_start_time_seconds", help: "When the process started, seconds since the Unix epoch.", start)
        }
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    /// Pages, from `/proc/self/statm`.
    private static func statm() -> (virtual: Double, resident: Double)? {
        guard let words = contents("/proc/self/statm")?.split(separator: " "), words.count > 1,
            let size = Double(words[0]), let resident = Double(words[1])
        else { return nil }
        return (size, resident)
    }

    /// Field 22 of `/proc/self/stat` are clock ticks since the machine started. The second field, the program's name in
    /// parentheses, may hold anything.
    private static func startTime() -> Double? {
        guard let stat = contents("/proc/self/stat"), let end = stat.lastIndex(of: ")") else { return nil }
        let words = stat[stat.index(after: end)...].split(separator: " ")
        let ticks = Double(sysconf(CInt(_SC_CLK_TCK)))
        guard words.count > 19, let started = Double(words[19]), ticks > 0 else { return nil }
        var sinceBoot = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &sinceBoot)
        let boot =
            Double(Timestamp.now.milliseconds) / 1000 - Double(sinceBoot.tv_sec) - Double(sinceBoot.tv_nsec) / 1e9
        // To a hundredth: the same at every look, in spite of two clocks that are read one after the other.
        return ((boot + started / ticks) * 100).rounded() / 100
    }

    private static func openDescriptors() -> Double? {
        guard let folder = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe closedir(folder) }
        var count = 0.0
        while unsafe readdir(folder) != nil { count += 1 }
        // Not `.`, `..` and the folder that is being read.
        return max(0, count - 3)
    }

    private static func contents(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
