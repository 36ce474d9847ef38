import { express } from "./express.ts";
import { portable, userOf } from "./portable.ts";
import { js } from "./settings.ts";
import type { Snippet, Snippets } from "./snippet.ts";

const code = (where: string, text: string): Snippet => ({ where, language: "ts", code: text });

/** NestJS on Express: what is middleware there goes into `main.ts`; guards, pipes and filters are its own. */
export const nest: Snippets = {
  ...express,
  ...portable,
  headers: (settings) => {
    const inExpress = express.headers?.(settings).code ?? "";
    return code(
      "main.ts, after NestFactory.create<NestExpressApplication>(AppModule, { bodyParser: false })",
      inExpress,
    );
  },
  cors: ({ origins, routes }) =>
    code(
      "main.ts",
      `app.enableCors({
  origin: ${js(origins)},
  methods: ${js([...new Set(routes.map(({ method }) => method))])},
  allowedHeaders: ["Authorization", "Content-Type"],
});
app.use((request, response, next) => {
  response.vary("Origin");
  next();
});`,
    ),
  tokens: (settings) =>
    code(
      "a guard of all routes:  { provide: APP_GUARD, useClass: SignedInGuard }  in AppModule",
      `import { CanActivate, ExecutionContext, Injectable, UnauthorizedException } from "@nestjs/common";
${userOf(settings)}

@Injectable()
export class SignedInGuard implements CanActivate {
  async canActivate(context: ExecutionContext) {
    const request = context.switchToHttp().getRequest();
    request.user = await userOf(request.headers.authorization);
    if (request.user === undefined) throw new UnauthorizedException();
    return true;
  }
}`,
    ),
  input: () =>
    code(
      "main.ts, and a class with decorators for each body, query and parameter",
      `import { ValidationPipe } from "@nestjs/common";

app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: false }));`,
    ),
  errors: () =>
    code(
      "main.ts:  app.useGlobalFilters(new ProblemFilter())",
      `import { ArgumentsHost, Catch, ExceptionFilter, HttpException, Logger } from "@nestjs/common";
import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";

@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost) {
    const status = error instanceof HttpException && error.getStatus() < 500 ? error.getStatus() : 500;
    const id = randomUUID();
    if (status === 500) new Logger("errors").error(id, error);
    host
      .switchToHttp()
      .getResponse()
      .status(status)
      .type("application/problem+json")
      .send(JSON.stringify({ type: "about:blank", title: STATUS_CODES[status], status, id }));
  }
}`,
    ),
};
