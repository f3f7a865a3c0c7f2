import ControlPlane
import Glibc

/// Where a command writes. Results go to standard output, everything about the command itself to standard error.
enum Output {
    case standard
    case diagnostics

    static func write(_ text: String, to output: Output = .standard) { write(Array(text.utf8), to: output) }

    /// As indented JSON.
    static func write(_ value: StatusValue) { write(value.json(pretty: true), to: .standard) }

    private static func write(_ octets: [UInt8], to output: Output) {
        var bytes = octets[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(output.descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // The reader has gone: `meridianctl status | head`.
            if count <= 0 { return }
            bytes = bytes.dropFirst(count)
        }
    }

    static func line(_ text: String = "", to output: Output = .standard) { write(text + "\n", to: output) }

    private var descriptor: CInt { self == .standard ? STDOUT_FILENO : STDERR_FILENO }
}
