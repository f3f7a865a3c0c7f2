/// What this program calls itself.
package enum Release {
    package static let version = "0.7.0"

    /// `release` or `debug`: the latter is several times slower, and nobody should meet it in production unknowingly.
    package static var kind: String {
        #if DEBUG
        "debug"
        #else
        "release"
        #endif
    }
}
