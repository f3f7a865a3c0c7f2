import FoundationEssentials
package import Model
import Topology

/// Reads secrets from where the topology says they are. Values never reach a log, a report or the admin API.
package enum SecretReader {
    package struct Missing: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// Octets of a file.
    private static let longest = 65_536

    /// The secret's octets, without white space at the ends (files usually end in a line feed).
    ///
    /// - Throws: when there is none, or an empty one.
    package static func read(_ secret: Secret) throws(Missing) -> [UInt8] {
        let text: String
        switch secret {
        case .environment(let name):
            guard let value = ProcessInfo.processInfo.environment[name] else {
                throw Missing(description: "the environment variable \(name) is not set")
            }
            text = value
        case .file(let path):
            let octets: [UInt8]
            do throws(RegularFile.Refusal) { octets = try RegularFile.read(path, limit: longest) } catch {
                throw Missing(description: "the file \(path) cannot be read: \(error)")
            }
            if octets.count > longest {
                throw Missing(description: "the file \(path) has more than \(longest) octets, which is no secret")
            }
            text = String(decoding: octets, as: UTF8.self)
        }
        let trimmed = text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
        if trimmed.isEmpty { throw Missing(description: "\(secret.place) is empty") }
        return Array(String(trimmed).utf8)
    }
}

extension Secret {
    /// Where it is kept, for messages and `/config`.
    var place: String {
        switch self {
        case .environment(let name): "the environment variable \(name)"
        case .file(let path): "the file \(path)"
        }
    }
}
