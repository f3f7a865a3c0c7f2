import Foundation

/// The inputs in the repository: honest ones to start from, and those that once broke something.
package enum Corpus {
    package static func inputs(_ folder: String, _ target: String) -> [[UInt8]] {
        let path = "\(folder)/\(target)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.sorted().compactMap { FileManager.default.contents(atPath: "\(path)/\($0)").map { Array($0) } }
    }
}
