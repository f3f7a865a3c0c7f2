import Foundation
import Geo
import Topology

/// A file of this process for readers that want a path.
struct ScratchFile {
    let path: String

    init(_ name: String) throws {
        // Memory, where there is such a file system: a million small writes should not reach a disk.
        let folder = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        path = "\(folder)/meridian-fuzz-\(ProcessInfo.processInfo.processIdentifier)-\(name)"
        try Data().write(to: URL(filePath: path))
    }

    func write(_ octets: [UInt8]) throws { try Data(octets).write(to: URL(filePath: path)) }
}

/// MaxMind DB files.
package struct MMDBTarget: FuzzTarget {
    package static let name = "mmdb"
    package static let tokens =
        [
            "country", "iso_code", "continent", "code", "node_count", "record_size", "ip_version", "search_tree",
            "\u{1}", "binary_format_major_version",
        ].map(\.octets) + [
            [0xab, 0xcd, 0xef] + "MaxMind.com".octets, [0xe0], [0x00, 0x04], [0x3f, 0xff, 0xff, 0xff, 0xff],
        ]
    package static let limit = 65536

    private let file: ScratchFile

    package init() throws { file = try ScratchFile("file.mmdb") }

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        do {
            try file.write(input)
            let table = try LocationTable(mmdb: file.path)
            trail.step(min(table.places.count, 16))
            trail.step(table.prefixes.rangeCount.bitWidth - table.prefixes.rangeCount.leadingZeroBitCount)
        } catch let error as InvalidMMDB {
            trail.step(message: error.message)
        } catch {
            return .broken("the scratch file could not be written: \(error)")
        }
        return trail.outcome
    }
}

/// Topology files, up to the compiled snapshot.
package struct TopologyTarget: FuzzTarget {
    package static let name = "topology"
    package static let tokens = [
        "federation:", "regions:", "nodes:", "services:", "pools:", "dns:", "http:", "tcp:", "include:", "zones:",
        "names:", "steps:", "geo:", "latency:", "weighted:", "failover:", "limit:", "healthy", "&a ", "*a", "<<: *a",
        "!!str ",
        "{", "}", "[", "]", ": ", "- ", "\n  ", "~", "null", "-1", "9223372036854775808", "1e400", "500ms", "50%",
        "16KiB",
        "127.0.0.1:80", "\"", "'", "|", ">", "%YAML 1.2", "---\n", "...",
    ].map(\.octets)
    package static let limit = 16384

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        let found = TopologyLoader.inspect(text: String(decoding: input, as: UTF8.self), file: "fuzz.yaml")
        if found.snapshot == nil, found.errors.isEmpty { return .broken("neither a snapshot nor an error") }
        if found.snapshot != nil, !found.errors.isEmpty { return .broken("a snapshot in spite of errors") }
        for diagnostic in found.diagnostics.prefix(4) {
            guard diagnostic.line >= 0, diagnostic.column >= 0 else { return .broken("\(diagnostic)") }
            trail.step(message: diagnostic.message)
        }
        return trail.outcome
    }
}
