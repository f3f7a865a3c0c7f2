import Glibc
import Model
import TestKit
import Testing
import Topology

/// Hostile and damaged input: refused in bounded time, never a crash.
@Suite struct BoundsTests {
    private static func first(_ text: String) -> String? {
        TopologyLoader.inspect(text: text, file: "t.yaml").errors.first?.description
    }

    /// Nine lists of nine aliases each: a billion values if they were expanded.
    private static func bomb(_ last: String) -> String {
        var text = "a0: &a0 [x]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        return text + last
    }

    @Test func aliasBomb() {
        let line = Self.first(Self.bomb("tcp: *a9\n"))
        #expect(line?.hasSuffix("error: the file holds too many values; at most 100000, aliases expanded") == true)
    }

    @Test(arguments: ["*a9 : x\n", "? *a9\n: x\n", "{[*a9]: x}\n", "x: {{a: *a9} : y}\n"])
    func aliasBombInAKey(_ last: String) {
        #expect(
            Self.first(Self.bomb(last))
                == "t.yaml:11:1: error: an alias or a list is used as a key; keys are plain text")
    }

    @Test func deepNesting() {
        #expect(
            Self.first("a: " + String(repeating: "[", count: 100) + String(repeating: "]", count: 100))
                == "t.yaml:1:36: "
                + "error: values are nested too deeply; at most 32 levels")
        // Beyond what the YAML library itself follows.
        #expect(Self.first("a: " + String(repeating: "[", count: 100_000))?.contains("not YAML") == true)
        #expect(Self.first(String(repeating: "- ", count: 100_000))?.contains("not YAML") == true)
    }

    @Test func largeFile() {
        #expect(
            Self.first("#" + String(repeating: "x", count: 1 << 20))
                == "t.yaml: error: 't.yaml' is too large; at most 1MiB")
    }

    @Test func longNamesMakeShortDiagnostics() throws {
        let line = try #require(Self.first(String(repeating: "k", count: 10_000) + ": 1\n"))
        #expect(line.count < 300)
    }

    @Test func notUTF8() throws {
        let path = "/tmp/topology-\(getpid())-latin1.yaml"
        let file = try #require(unsafe fopen(path, "w"))
        unsafe fwrite([0x61, 0x3a, 0x20, 0xe9, 0x0a] as [UInt8], 1, 5, file)
        unsafe fclose(file)
        defer { unsafe unlink(path) }
        let diagnostics = TopologyLoader.inspect(path: path).diagnostics.map(\.description)
        #expect(diagnostics == ["\(path): error: '\(path)' is not UTF-8 text"])
    }

    @Test(arguments: [("/tmp/no/such/topology.yaml", "it does not exist"), ("/tmp", "it is a folder")])
    func unreadable(_ path: String, _ reason: String) {
        #expect(
            TopologyLoader.inspect(path: path).diagnostics.map(\.description)
                == ["\(path): error: '\(path)' cannot be read: \(reason)"])
    }

    @Test("A pipe in a file's place is an error, not a wait", .timeLimit(.minutes(1)))
    func pipe() throws {
        let path = "/tmp/topology-\(getpid())-pipe.yaml"
        #expect(unsafe mkfifo(path, 0o600) == 0)
        defer { unsafe unlink(path) }
        #expect(
            TopologyLoader.inspect(path: path).diagnostics.map(\.description)
                == ["\(path): error: '\(path)' cannot be read: it is a pipe, not a file"])
    }

    /// Cut, doubled, swapped and overwritten text is either a topology or has diagnostics, at lines that exist.
    @Test func damagedText() {
        var generator = SeededGenerator(seed: 20_261_122)
        let good = Array(GoodTopology.text.utf8)
        let spice = Array("{}[]:,-&*#?|>'\"%@`!\n\t 0a~".utf8)
        for _ in 0..<400 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = spice[Int.random(in: 0..<spice.count, using: &generator)]
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(spice[Int.random(in: 0..<spice.count, using: &generator)], at: place)
                default: bytes.removeSubrange(place..<min(place + 40, bytes.count))
                }
                if bytes.isEmpty { break }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let inspection = TopologyLoader.inspect(text: text, file: "t.yaml")
            #expect((inspection.snapshot == nil) == !inspection.errors.isEmpty)
            let lines = text.utf8.count { $0 == 0x0a } + 1
            #expect(inspection.diagnostics.allSatisfy { (0...lines + 1).contains($0.line) })
        }
    }
}
