package import Foundation

/// Where the programs are that the world runs.
package enum Programs {
    package struct Missing: Error, CustomStringConvertible {
        package let description: String
    }

    /// One of our own: beside the running program, else in the release build of the package that we were built from.
    /// `MERIDIAN_BIN` names another folder.
    ///
    /// - Throws: `Missing` when it has not been built.
    package static func ours(_ name: String) throws(Missing) -> String {
        var folders: [URL] = []
        if let folder = ProcessInfo.processInfo.environment["MERIDIAN_BIN"], !folder.isEmpty {
            folders.append(URL(filePath: folder))
        } else {
            folders.append(URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent())
            folders.append(package.appending(path: ".build/release"))
        }
        for folder in folders {
            let path = folder.appending(path: name).path
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        throw Missing(description: "\(name) is not built (swift build -c release)")
    }

    /// The folder of the package.
    package static let package = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// A program of the system, looked up in `PATH`, in the folders of system programs and among PostgreSQL's own.
    ///
    /// - Parameters:
    ///   - name: Such as `nginx`, `initdb`.
    ///   - debian: The Debian package that has it.
    /// - Returns: Its path.
    /// - Throws: `Missing`, naming the package.
    package static func system(_ name: String, package debian: String) throws(Missing) -> String {
        var folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        folders += ["/usr/sbin", "/sbin", "/usr/local/sbin"]
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        folders += versions.sorted { (Double($0) ?? 0) > (Double($1) ?? 0) }.map { "/usr/lib/postgresql/\($0)/bin" }
        for folder in folders {
            let path = folder + "/" + name
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        throw Missing(description: "\(name) is missing: apt-get install \(debian)")
    }
}
