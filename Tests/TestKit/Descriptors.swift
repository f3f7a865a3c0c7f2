import Glibc

/// Runs `body` while this process can open nothing: each call that wants a descriptor fails with EMFILE.
package func withoutDescriptors<Value>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
) async rethrows -> Value {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var before = rlimit()
    unsafe getrlimit(resource, &before)
    // What is open stays open.
    var none = rlimit(rlim_cur: 3, rlim_max: before.rlim_max)
    unsafe setrlimit(resource, &none)
    defer { unsafe setrlimit(resource, &before) }
    return try await body()
}
