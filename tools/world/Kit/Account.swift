import Glibc

/// A user of the system and its group.
package struct Account: Sendable, Hashable {
    package let user: UInt32
    package let group: UInt32

    /// Nil when there is no such user.
    package static func named(_ name: String) -> Account? {
        guard let entry = unsafe getpwnam(name) else { return nil }
        return unsafe Account(user: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
    }

    /// Makes the account the owner of `path`.
    package func takeOver(_ path: String) throws(Child.Failure) {
        guard unsafe chown(path, user, group) == 0 else {
            throw Child.Failure(description: "cannot give \(path) to user \(user)")
        }
    }
}
