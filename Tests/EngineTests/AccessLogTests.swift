import CLinux
import Glibc
import Testing

@testable import Engine

@Suite("The writer of access logs")
struct AccessLogTests {
    private let path = "/tmp/meridian-lines-\(getpid())-\(UInt32.random(in: 0 ... .max))"

    /// `F_SETPIPE_SZ`, which Glibc's module leaves out.
    private let setPipeSize: CInt = 1031

    private func append(_ line: String, to ring: LogRing) -> Bool {
        Array(line.utf8).withUnsafeBytes { unsafe ring.append($0) }
    }

    /// Reads what is there, at most `limit` octets.
    private func read(_ descriptor: CInt, _ limit: Int = 1 << 16) -> String {
        var room = [UInt8](repeating: 0, count: limit)
        let count = Glibc.read(descriptor, &room, limit)
        return String(decoding: room.prefix(max(0, count)), as: UTF8.self)
    }

    @Test("A file that cannot be opened is named with its key, and nothing is said of ports")
    func refusedFile() throws {
        let error = try #require(throws: SocketError.self) {
            _ = try AccessLog(path: "/nowhere/at/all.log", key: "log.explain", workers: 1)
        }
        #expect(
            error.description
                == "log.explain: the log file /nowhere/at/all.log cannot be opened: No such file or directory")
        #expect(!SocketError("log.access: the log file x cannot be opened", EACCES).description.contains("port"))
        #expect(SocketError("bind", EACCES).description.contains("ports below 1024"))
    }

    @Test("A pipe that takes lines in pieces gets them whole, one after the other")
    func slowPipe() throws {
        defer { unlink(path) }
        try #require(mkfifo(path, 0o600) == 0)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let log = try AccessLog(path: path, workers: 2)
        // One page, so that hardly a write is taken whole.
        try #require(fcntl(reader, setPipeSize, 4_096) >= 4_096)
        let lines = ["a", "b"].map { String(repeating: $0, count: 2_500) + "\n" }
        for _ in 0..<100 {
            for (worker, line) in lines.enumerated() { #expect(append(line, to: log.ring(worker))) }
        }
        var text = ""
        for _ in 0..<100_000 where text.utf8.count < 200 * 2_501 {
            text += read(reader, 1_000)
            usleep(100)
        }
        log.stop()
        let parts = text.split(separator: "\n")
        #expect(parts.count == 200)
        #expect(parts.allSatisfy { $0.utf8.count == 2_500 && Set($0).count == 1 })
        #expect(log.dropped == 0)
    }

    @Test("A full disk loses lines, and each is counted")
    func fullDisk() throws {
        let log = try AccessLog(path: "/dev/full", workers: 1)
        for number in 0..<100 { #expect(append("line \(number)\n", to: log.ring(0))) }
        log.stop()
        #expect(log.dropped == 100)
    }

    @Test("A line that lost its rest is ended, and the next begins on a line of its own")
    func torn() {
        let rings = [LogRing(), LogRing()]
        var writer = LineWriter(rings)
        var file: [UInt8] = []
        // What each write is given, and what it takes; nil is a full disk.
        func drain(_ takes: [Int?]) {
            var takes = takes
            _ = writer.drain(isLast: false) { parts in
                guard !takes.isEmpty else { return .failed(EAGAIN) }
                guard let take = takes.removeFirst() else { return .failed(ENOSPC) }
                let given = unsafe parts.flatMap { part in
                    unsafe Array(UnsafeRawBufferPointer(start: part.iov_base, count: part.iov_len))
                }
                file += given.prefix(take)
                return .wrote(min(take, given.count))
            }
        }
        #expect(append("first\n", to: rings[1]))
        drain([3])
        #expect(append("other\n", to: rings[0]))
        drain([])
        #expect(String(decoding: file, as: UTF8.self) == "fir", "nothing goes between the halves of a line")
        drain([3, 100])
        #expect(append("lost\n", to: rings[0]) && append("whole\n", to: rings[1]))
        drain([2, nil, 100])
        #expect(String(decoding: file, as: UTF8.self) == "first\nother\nlo\nwhole\n")
        #expect(rings[0].dropped == 1 && rings[1].dropped == 0)
    }

    @Test("Opened anew in the middle of a line, the file begins with a whole one")
    func reopened() throws {
        let moved = path + ".1"
        defer {
            unlink(path)
            unlink(moved)
        }
        try #require(mkfifo(path, 0o600) == 0)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let log = try AccessLog(path: path, workers: 1)
        let size = Int(fcntl(reader, setPipeSize, 4_096))
        #expect(append(String(repeating: "x", count: size + 500) + "\n", to: log.ring(0)))
        var waiting: CInt = 0
        for _ in 0..<5_000 where waiting < size {
            usleep(1_000)
            _ = ioctl(reader, UInt(FIONREAD), &waiting)
        }
        try #require(rename(path, moved) == 0)
        try log.reopen()
        #expect(append("next\n", to: log.ring(0)))
        log.stop()
        let file = open(path, O_RDONLY)
        defer { close(file) }
        #expect(read(file) == "next\n")
        #expect(log.dropped == 1)
    }
}
