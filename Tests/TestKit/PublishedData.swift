import Glibc

/// Test data that others publish, which lies beside the repository and is not part of it: `../shared/conformance`.
///
/// The only reason for which a test may be skipped: `.enabled(if: PublishedData.has("dns"), PublishedData.hint)` says so in
/// one line. Whatever else a test misses is a failure that names it.
package enum PublishedData {
    package static let hint = "not run: there is no such data at ../shared/conformance (see CONTRIBUTING.md)"

    /// `path` below `../shared/conformance`.
    package static func path(_ path: String) -> String {
        // Tests/TestKit/PublishedData.swift: four steps up is beside the repository.
        let parts = #filePath.split(separator: "/").dropLast(4)
        return "/" + parts.joined(separator: "/") + "/shared/conformance/" + path
    }

    package static func has(_ path: String) -> Bool { unsafe access(self.path(path), R_OK) == 0 }
}
