package import Foundation
package import Model

/// Application servers: one nginx process for each endpoint of an HTTP pool, so that one can be killed.
package enum Backends {
    /// Answers `/healthz` with `ok`, and everything else with a line that names the region, the pool and the address.
    /// `X-Seen-Forwarded-For` shows what the balancer sent.
    package static func start(
        _ endpoint: Endpoint, pool: String, region: String, folder: URL
    ) throws -> Child {
        let home = folder.appending(path: "backend-\(endpoint.address)")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(home.path)/\($0);" }.joined(separator: " ")
        let configuration = """
            daemon off;
            master_process off;
            worker_processes 1;
            pid \(home.path)/nginx.pid;
            error_log stderr warn;
            events { worker_connections 512; }
            http {
                access_log off;
                \(temporary)
                default_type text/plain;
                keepalive_requests 1000000;
                server {
                    listen \(endpoint.address);
                    add_header X-Seen-Forwarded-For $http_x_forwarded_for always;
                    location = /healthz { return 200 "ok\\n"; }
                    location / { return 200 "\(region) \(pool) \(endpoint.address)\\n"; }
                }
            }

            """
        let file = home.appending(path: "nginx.conf")
        try configuration.write(to: file, atomically: false, encoding: .utf8)
        return try Child(
            "\(pool) \(endpoint.address)",
            Child.Launch(
                try Programs.system("nginx", package: "nginx"), ["-c", file.path, "-p", home.path, "-e", "stderr"],
                output: home.appending(path: "log").path))
    }
}
