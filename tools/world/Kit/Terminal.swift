import Foundation

/// Text for the person who watches, unbuffered: it is there when a step is.
package enum Terminal {
    package static func say(_ text: String) { write(text + "\n", to: .standardOutput) }

    package static func complain(_ text: String) { write(text + "\n", to: .standardError) }

    static func write(_ text: String, to file: FileHandle = .standardOutput) {
        // A reader that went away is no reason to leave the world running.
        try? file.write(contentsOf: Data(text.utf8))
    }
}
