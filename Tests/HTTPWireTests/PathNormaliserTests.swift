import HTTPWire
import TestKit
import Testing

@Suite("Normal paths")
struct PathNormaliserTests {
    private func normal(_ path: String) -> String? {
        let bytes = Array(path.utf8)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 1)
        defer { room.deallocate() }
        return bytes.withUnsafeBytes { PathNormaliser.normalise($0.bytes, into: room) }
            .map { String(decoding: room[..<$0], as: UTF8.self) }
    }

    @Test(
        "Escapes and dot segments",
        arguments: [
            ("/", "/"), ("/a/b", "/a/b"), ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/a/b/..", "/a/"),
            ("/a/b/.", "/a/b/"),
            ("/a/b/../../c", "/c"), ("/%61%7e", "/a~"), ("/%2f%5c%3b", "/%2F%5C%3B"), ("/a%20b", "/a%20b"),
            ("/%2e/a", "/a"), ("/a/%2E%2e/b", "/b"), ("//a", "//a"), ("/a//../b", "/a/b"), ("/...", "/..."),
            ("/.a", "/.a"),
            ("/a;x=1/b", "/a;x=1/b"), ("/a..b", "/a..b"), ("/..a/b", "/..a/b"), ("/.", "/"), ("/./", "/"),
        ])
    func normalises(path: String, expected: String) {
        #expect(normal(path) == expected)
    }

    @Test(
        "What is refused",
        arguments: [
            "/..", "/a/../..", "/%2e%2e", "/%", "/%4", "/%4g", "/%00", "/a/..%2fb", "/a%2f..", "/a/..;/b", "/..%3b/x",
            "/..%5Cx",
            "/a%2f%2e%2e%2fb", "",
        ])
    func refuses(path: String) {
        #expect(normal(path) == nil)
    }

    @Test("A normal path is its own normal form", arguments: 1...4)
    func isStable(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pieces = ["/", ".", "..", "a", "%2e", "%41", "%2F", ";", "%", "b%20"]
        var accepted = 0
        for _ in 0..<3_000 {
            let path =
                "/"
                + (0..<Int.random(in: 0...8, using: &random)).map { _ in
                    pieces[Int.random(in: 0..<pieces.count, using: &random)]
                }.joined()
            guard let once = normal(path) else { continue }
            accepted += 1
            #expect(normal(once) == once, "\(path)")
            #expect(!once.split(separator: "/").contains { $0 == ".." || $0 == "." }, "\(path)")
        }
        #expect(accepted > 500)
    }
}
