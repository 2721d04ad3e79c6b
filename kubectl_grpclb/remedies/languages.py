"""What balancing in the client takes in each language, and what makes channels see new pods.

Each was looked up in the library's own reference: grpc-go (service config, keepalive.ServerParameters), grpc-java
(ManagedChannelBuilder, ServerBuilder since 1.47), gRPC core's channel arguments (Python, C++, Ruby), @grpc/grpc-js (its
README's list of options), Grpc.Net.Client (Client-side load balancing, learn.microsoft.com), tonic and ginepro.
"""

from msgspec import Struct

__all__ = ["LANGUAGES", "Language"]


class Language(Struct, frozen=True):
    """One library; in its lines TARGET, HOST and PORT stand for the headless Service's."""

    name: str
    client: tuple[str, ...]
    """Code that makes a channel which balances."""
    client_notes: tuple[str, ...]
    """What the library's resolver does of itself, and what not."""
    server: tuple[str, ...]
    """Code that ends connections after 5 minutes and gives calls in flight one more."""
    server_notes: tuple[str, ...] = ()


LANGUAGES: tuple[Language, ...] = (
    Language(
        name="Go (grpc-go)",
        client=(
            'conn, err := grpc.NewClient("TARGET",',
            "    grpc.WithTransportCredentials(insecure.NewCredentials()),",
            '    grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`))',
        ),
        client_notes=(
            "grpc.Dial does not ask DNS unless the target begins with dns:///.",
            "DNS is asked again only when a connection closes, at least 30 s apart.",
        ),
        server=(
            "grpc.NewServer(grpc.KeepaliveParams(keepalive.ServerParameters{",
            "    MaxConnectionAge: 5 * time.Minute, MaxConnectionAgeGrace: time.Minute}))",
        ),
    ),
    Language(
        name="Java and Kotlin (grpc-java)",
        client=(
            'ManagedChannelBuilder.forTarget("TARGET")',
            '    .defaultLoadBalancingPolicy("round_robin").usePlaintext().build();',
        ),
        client_notes=("DNS answers are kept for the JVM's networkaddress.cache.ttl, 30 s by default.",),
        server=(
            "ServerBuilder.forPort(PORT)",
            "    .maxConnectionAge(5, TimeUnit.MINUTES).maxConnectionAgeGrace(1, TimeUnit.MINUTES)",
        ),
        server_notes=("Before grpc-java 1.47 only NettyServerBuilder has these two.",),
    ),
    Language(
        name="Python (grpcio)",
        client=(
            'grpc.insecure_channel("TARGET", options=[',
            '    ("grpc.service_config", \'{"loadBalancingConfig":[{"round_robin":{}}]}\')])',
        ),
        client_notes=(
            "DNS is asked again only when a connection closes, and at most every",
            "grpc.dns_min_time_between_resolutions_ms (30000).",
        ),
        server=(
            "grpc.server(executor, options=[",
            '    ("grpc.max_connection_age_ms", 300_000), ("grpc.max_connection_age_grace_ms", 60_000)])',
        ),
    ),
    Language(
        name="Node (@grpc/grpc-js)",
        client=(
            'new GreeterClient("TARGET",',
            "  credentials.createInsecure(), {",
            '  "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }) })',
        ),
        client_notes=(
            "DNS is asked again only when a connection closes, and at most every",
            "grpc.dns_min_time_between_resolutions_ms (30000).",
        ),
        server=(
            "new grpc.Server({",
            '  "grpc.max_connection_age_ms": 300_000, "grpc.max_connection_age_grace_ms": 60_000 })',
        ),
    ),
    Language(
        name=".NET (Grpc.Net.Client)",
        client=(
            "var services = new ServiceCollection();",
            "services.AddSingleton<ResolverFactory>(",
            "    sp => new DnsResolverFactory(refreshInterval: TimeSpan.FromSeconds(30)));",
            'GrpcChannel.ForAddress("TARGET",',
            "  new GrpcChannelOptions {",
            "    Credentials = ChannelCredentials.Insecure,",
            "    ServiceConfig = new ServiceConfig { LoadBalancingConfigs = { new RoundRobinConfig() } },",
            "    ServiceProvider = services.BuildServiceProvider() });",
        ),
        client_notes=(
            "A dns:/// address needs Credentials: it does not say whether there is TLS.",
            "With refreshInterval the channel asks DNS by itself, whatever the servers do.",
        ),
        server=(),
        server_notes=(
            "Kestrel has no setting for it (dotnet/aspnetcore#51778). A connection middleware can call",
            "IConnectionLifetimeNotificationFeature.RequestClose(), which sends GOAWAY.",
        ),
    ),
    Language(
        name="Rust (tonic)",
        client=(
            "// the ginepro crate: asks DNS again by itself, balances over tonic channels",
            'ginepro::LoadBalancedChannel::builder(("HOST", PORT))',
            "    .channel().await",
        ),
        client_notes=(
            "tonic asks DNS for no list of pods: Channel::balance_list balances over the endpoints",
            "that it is given and never looks for others; Channel::balance_channel takes changes.",
        ),
        server=(
            "Server::builder().max_connection_age(Duration::from_secs(300))",
            "    .max_connection_age_grace(Duration::from_secs(60))",
        ),
        server_notes=(
            "Set both: with the age alone tonic 0.14.5 and 0.14.6 panic (grpc/grpc-rust#2522).",
            "tonic adds no jitter, so clients that connected at once reconnect at once.",
        ),
    ),
    Language(
        name="C++ (grpc++)",
        client=(
            "grpc::ChannelArguments args;",
            'args.SetLoadBalancingPolicyName("round_robin");',
            'grpc::CreateCustomChannel("TARGET",',
            "    grpc::InsecureChannelCredentials(), args);",
        ),
        client_notes=("DNS is asked again only when a connection closes, at least 30 s apart.",),
        server=(
            "builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 300000);",
            "builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 60000);",
        ),
    ),
    Language(
        name="Ruby (grpc)",
        client=(
            'Greeter::Stub.new("TARGET",',
            "  :this_channel_is_insecure, channel_args: {",
            '    "grpc.service_config" => \'{"loadBalancingConfig":[{"round_robin":{}}]}\' })',
        ),
        client_notes=(
            "DNS is asked again only when a connection closes, and at most every",
            "grpc.dns_min_time_between_resolutions_ms (30000).",
        ),
        server=(
            "GRPC::RpcServer.new(server_args: {",
            '  "grpc.max_connection_age_ms" => 300_000, "grpc.max_connection_age_grace_ms" => 60_000 })',
        ),
    ),
)
